// Certificates of the tests' own, made by openssl.
#ifndef PENSTOCK_TESTS_SUPPORT_CERTIFICATES_H_
#define PENSTOCK_TESTS_SUPPORT_CERTIFICATES_H_

#include <string>

namespace penstock::testing {

// Makes <name>.crt and <name>.key in `folder`, for `subject` and signed by the
// `authority` of that name there, or, without one, an authority by itself. A failure
// is the test's.
void MakeCertificate(const std::string& folder, const std::string& name,
                     const std::string& authority = "",
                     const std::string& subject = "IP:127.0.0.1");

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_CERTIFICATES_H_
