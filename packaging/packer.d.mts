/** See packer.mjs. */
export const packerEnvironment: NodeJS.ProcessEnv;
export function packerTemplate(folder: string): Promise<string>;
