import { writeFileAtomic } from '../../src/host/atomic-file.ts';
import { codeOf } from '../../src/base/errors.ts';

// Writes more than the limit of its shell allows, as on a disk that is full.
const [, , file = ''] = process.argv;
await writeFileAtomic(file, 'x'.repeat(1024 * 1024)).then(
  () => process.stdout.write('written'),
  (error: unknown) => process.stdout.write(codeOf(error) ?? 'another error'),
);
