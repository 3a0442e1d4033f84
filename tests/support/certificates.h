// Makes certificates for tests with openssl.
#ifndef PENSTOCK_TESTS_SUPPORT_CERTIFICATES_H_
#define PENSTOCK_TESTS_SUPPORT_CERTIFICATES_H_

#include <string>

namespace penstock::testing {

// Makes <name>.crt and <name>.key in `folder`, for `subject`. The certificate is signed by the
// authority with the name `authority` in that folder; without one it is itself an authority. Fails
// the test if openssl fails. It is good from now on, for so many days.
void MakeCertificate(const std::string& folder, const std::string& name,
                     const std::string& authority = "", const std::string& subject = "IP:127.0.0.1",
                     int days = 30);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_CERTIFICATES_H_
