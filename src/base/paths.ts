/** Whether an absolute, normalised path is a folder or below it, by the texts alone. */
export function isWithin(file: string, folder: string): boolean {
  return file === folder || file.startsWith(folder === '/' ? '/' : `${folder}/`);
}
