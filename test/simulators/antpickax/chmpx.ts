import { existsSync, readFileSync } from 'node:fs';
import { ChmpxProcess } from './chmpx-process.ts';
import { checkFileName, readConfiguration, Refused } from './configuration.ts';
import { checkLimits } from './limits.ts';
import { configurationFile, parseOptions, showsErrors } from './options.ts';
import { scheduleCrash, setProcessName } from './process-name.ts';
import { readSettings } from './settings.ts';
import { versionText } from './version-text.ts';

/** Stand-in for chmpx: `chmpx -conf FILE [-ctlport N] [-cuk S] [-d err]`. */
async function main(): Promise<void> {
  setProcessName('chmpx');
  for (const ignored of ['SIGTERM', 'SIGQUIT', 'SIGUSR1'] as const) {
    process.on(ignored, () => undefined);
  }
  const options = parseOptions(process.argv.slice(2));
  if (options.has('v') || options.has('version')) {
    process.stdout.write(versionText('CHMPX'));
    return;
  }
  if (options.has('h') || options.has('help')) {
    process.stdout.write('[Usage]\nchmpx -conf <file> [-ctlport <port>] [-cuk <cuk>] [-d err]\n');
    return;
  }
  const settings = readSettings(process.env);
  const errors = showsErrors(options, process.env['CHMDBGMODE']);
  const log = (line: string): void => {
    if (errors) process.stderr.write(`[CHMPX-ERR] ${line}\n`);
  };
  const file = configurationFile(options, process.env['CHMCONFFILE']);
  if (file === undefined) {
    process.stdout.write('ERROR: Must specify option "-conf" or "-json"\n');
    process.exit(1);
  }
  try {
    checkFileName(file, existsSync(file));
    const { address } = settings;
    const given = { ctlport: options.get('ctlport'), cuk: options.get('cuk'), address };
    const configuration = await readConfiguration(file, readFileSync(file, 'utf8'), given);
    checkLimits(configuration);
    const chmpx = new ChmpxProcess({ file, given, configuration, settings, log });
    await chmpx.start();
    scheduleCrash(settings.chmpxCrash);
    for (const signal of ['SIGHUP', 'SIGINT'] as const) {
      process.on(signal, () => {
        chmpx.stop();
      });
    }
    log('ConnectRing(0) : There is no server UP on RING.');
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    [...error.lines, `Initialize(0) : Failed to start from ${file}`].forEach(log);
    process.stdout.write('ERROR: Could not initialize process.\n');
    process.stdout.write('You can see detail about error, execute with "-d" option.\n');
    process.exit(1);
  }
}

void main();
