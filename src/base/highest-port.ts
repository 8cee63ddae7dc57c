/**
 * chmpx keeps a port in a C short: above this one it turns negative, 40021 becomes -25515
 * (docs/contracts/ini.md, 3.5).
 */
export const HIGHEST_PORT = 32_767;
