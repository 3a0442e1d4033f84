#include "tests/support/certificates.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/support/process.h"

namespace penstock::testing {

void MakeCertificate(const std::string& folder, const std::string& name,
                     const std::string& authority, const std::string& subject, int days) {
  std::vector<std::string> words = {"openssl",
                                    "req",
                                    "-x509",
                                    "-newkey",
                                    "ec",
                                    "-pkeyopt",
                                    "ec_paramgen_curve:P-256",
                                    "-nodes",
                                    "-days",
                                    std::to_string(days),
                                    "-keyout",
                                    name + ".key",
                                    "-out",
                                    name + ".crt",
                                    "-subj",
                                    "/CN=" + name};
  if (!authority.empty()) {
    words.insert(words.end(),
                 {"-CA", authority + ".crt", "-CAkey", authority + ".key", "-addext",
                  "subjectAltName=" + subject, "-addext", "basicConstraints=critical,CA:FALSE"});
  }
  Process openssl(words, folder);
  ASSERT_EQ(openssl.Wait(), 0) << openssl.output();
}

}  // namespace penstock::testing
