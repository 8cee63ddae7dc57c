import type { SectionName } from './keys.ts';

const OF_THE_ROLE = "it is the role's, and the same on every node of the cluster";
const OF_A_NODE = 'it is different for every node, and comes from its registration';
const NOT_READ = 'chmpx never reads it in [SLVNODE]';

/** Keys that an operator may not set, and why. */
const FIXED: Readonly<Record<SectionName, Readonly<Record<string, string>>>> = {
  GLOBAL: {
    GROUP: OF_THE_ROLE,
    MODE: OF_THE_ROLE,
    CHMPXIDTYPE: OF_THE_ROLE,
    DELIVERMODE: OF_THE_ROLE,
    FILEVERSION: OF_THE_ROLE,
    DATE: 'it comes from the role and means nothing',
    PORT: 'every node has its own from the role, which goes before it',
    CTLPORT: 'every node has its own from the role, which goes before it',
    SELFCTLPORT: 'it must be that of the role, by which the others know this node',
    SELFCUK: 'it is the instance id',
    MQACK: 'k2hdkc only starts with no, which the role says',
    INCLUDE: 'chmpx 1.0.113 never follows it',
  },
  SVRNODE: {
    NAME: OF_A_NODE,
    CUK: OF_A_NODE,
    PORT: OF_A_NODE,
    CTLPORT: OF_A_NODE,
    CUSTOM_ID_SEED: OF_A_NODE,
    ENDPOINTS: OF_A_NODE,
    CTLENDPOINTS: OF_A_NODE,
    FORWARD_PEERS: OF_A_NODE,
    REVERSE_PEERS: OF_A_NODE,
  },
  SLVNODE: {
    NAME: OF_A_NODE,
    CUK: OF_A_NODE,
    CTLPORT: OF_A_NODE,
    CUSTOM_ID_SEED: OF_A_NODE,
    CTLENDPOINTS: OF_A_NODE,
    FORWARD_PEERS: OF_A_NODE,
    REVERSE_PEERS: OF_A_NODE,
    SSL: NOT_READ,
    SSL_VERIFY_PEER: NOT_READ,
  },
  K2HDKC: {
    K2HINIT: 'k2hdkc 1.0.19 reads it and never uses it: the file is always kept',
    PASSPHRASES: 'everybody on the VM can read the ini; use PASSFILE',
    SVRNODEINI: 'k2hdkc must attach by the same file that chmpx runs with',
    INCLUDE: 'the agent writes one file',
  },
};

/** Why an operator may not set a key; undefined when nothing is against it. */
export function whyFixed(section: SectionName, key: string): string | undefined {
  return FIXED[section][key];
}
