#include "tls_cause.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace sansock {
namespace {

// What the peer says of us (RFC 8446 section 6).
errc cause_of_alert(int alert) noexcept {
  switch (alert) {
    case SSL_AD_PROTOCOL_VERSION: return errc::tls_version_unsupported;
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_INSUFFICIENT_SECURITY: return errc::tls_parameters_unsupported;
    case SSL_AD_NO_APPLICATION_PROTOCOL: return errc::tls_protocol_unsupported;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_CERTIFICATE_REQUIRED: return errc::tls_certificate_refused;
    default: return errc::tls_refused;
  }
}

}  // namespace

errc tls_cause_of_error() noexcept {
  const std::uint32_t error = ERR_peek_error();
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    const int reason = ERR_GET_REASON(error);
    if (reason >= SSL_AD_REASON_OFFSET) return cause_of_alert(reason - SSL_AD_REASON_OFFSET);
    switch (reason) {
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      case SSL_R_WRONG_SSL_VERSION:
      case SSL_R_UNKNOWN_PROTOCOL:
      case SSL_R_NO_SUPPORTED_VERSIONS_ENABLED: return errc::tls_version_unsupported;
      case SSL_R_NO_SHARED_CIPHER:
      case SSL_R_NO_SHARED_GROUP:
      case SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS:
      case SSL_R_WRONG_CURVE:
      case SSL_R_WRONG_SIGNATURE_TYPE:
      case SSL_R_WRONG_CIPHER_RETURNED:
      case SSL_R_UNKNOWN_CIPHER_RETURNED: return errc::tls_parameters_unsupported;
      case SSL_R_NO_APPLICATION_PROTOCOL:
      case SSL_R_INVALID_ALPN_PROTOCOL: return errc::tls_protocol_unsupported;
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return errc::tls_certificate_missing;
      case SSL_R_CERTIFICATE_VERIFY_FAILED:
      case SSL_R_UNKNOWN_CERTIFICATE_TYPE:
      case SSL_R_CANNOT_PARSE_LEAF_CERT: return errc::tls_certificate_invalid;
      case SSL_R_TOO_MANY_EMPTY_FRAGMENTS:
      case SSL_R_TOO_MANY_KEY_UPDATES:
      case SSL_R_TOO_MANY_WARNING_ALERTS:
      case SSL_R_NO_RENEGOTIATION: return errc::tls_flood;
      case SSL_R_WRONG_VERSION_NUMBER: return errc::tls_record_invalid;
      default: break;
    }
  }
  return errc::tls_record_invalid;
}

errc tls_cause_of_verification(int error) noexcept {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return errc::tls_certificate_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return errc::tls_certificate_not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return errc::tls_host_mismatch;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED: return errc::tls_certificate_untrusted;
    case X509_V_ERR_APPLICATION_VERIFICATION: return errc::tls_pin_mismatch;
    case X509_V_ERR_OUT_OF_MEM: return errc::memory_exhausted;
    default: return errc::tls_certificate_invalid;
  }
}

}  // namespace sansock
