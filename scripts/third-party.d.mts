/** See third-party.mjs. */
export function thirdPartyLicenses(
  root: string,
  output: { inputs: Record<string, { bytesInOutput: number }> },
): Promise<string>;
