// What TLS files hold. The keys were made for these tests and guard nothing.
#ifndef PENSTOCK_TESTS_UNIT_CONFIG_PEM_H_
#define PENSTOCK_TESTS_UNIT_CONFIG_PEM_H_

namespace penstock::server {

// A certificate and its key.
inline constexpr char kPem[] = R"(-----BEGIN CERTIFICATE-----
MIIBLjCB4aADAgECAhQ+Zqk9onAlkwe0pyJxIt1mJKtNTjAFBgMrZXAwDDEKMAgG
A1UEAwwBeDAgFw0yNjExMjQxNTQzMTRaGA8yMTI2MTAzMTE1NDMxNFowDDEKMAgG
A1UEAwwBeDAqMAUGAytlcAMhAP+UNI/d/PszhroSu8PXAQHjLSf/URVHANTQ2AH4
yxhfo1MwUTAdBgNVHQ4EFgQUXurASzneCdLqyhxsJeKxERBQxSkwHwYDVR0jBBgw
FoAUXurASzneCdLqyhxsJeKxERBQxSkwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXAD
QQDoW7ue2NLnTP7SqLA++rozLxxgGpHe3xA/i4DpyTLx9pnjvhBg7UsZO+3VHKuA
PMLU/p8huSZpJL1I96xRbw0A
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEICsK6Si9DCQqcT/QlPncoo2P1cN9f+2pVJVxJJiH67KP
-----END PRIVATE KEY-----
)";

// A key that belongs to no certificate.
inline constexpr char kOtherKey[] = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEICh2DNGFg4IB23J9oFrfAXKqpPil2hci2nwqwEJ3wqzm
-----END PRIVATE KEY-----
)";

// The key of kPem, with a password.
inline constexpr char kLockedKey[] = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhIhasXLew1NQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEENhVrCHg7JziMrjP6xcT04YEQL7G
7yS+UYetZvOoa5Sca+TSWoCww0nu0mVKlFBlYmS+e3Rh7qJKLwWOXHpzIqIPSx87
XYb+iNwPcSo+irneGW4=
-----END ENCRYPTED PRIVATE KEY-----
)";

}  // namespace penstock::server

#endif  // PENSTOCK_TESTS_UNIT_CONFIG_PEM_H_
