import { codeOf, messageOf } from '../base/errors.ts';

/**
 * What is wrong with TLS, and what to do; null for any other failure. The codes are those of Node.js
 * 20, whose texts are for those who know OpenSSL.
 *
 * @param caOption the option of agent.yaml that names the CA of the other side.
 */
export function tlsProblem(failure: unknown, caOption: string): string | null {
  switch (codeOf(failure)) {
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return `its certificate comes from a CA that is not known here: name that in ${caOption} of agent.yaml`;
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired: renew it, or set the clock of this VM';
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet: set the clock of this VM';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for another host: use a name that it holds in the URL';
    case 'EPROTO':
      return messageOf(failure).includes('wrong version number')
        ? 'it does not speak TLS on this port: its URL should begin with http:, or have another port'
        : null;
    case undefined:
    default:
      return null;
  }
}
