import type { Reporter, TestModule } from 'vitest/node';
import { resolveSubject } from './subject.ts';

/** Says at the end of a run how many statements held, on what. */
export default class ConformanceReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const statements = modules
      .filter((module) => module.moduleId.includes('/test/conformance/'))
      .flatMap((module) => [...module.children.allTests()]);
    if (statements.length === 0) return;
    const held = statements.filter((one) => one.result().state === 'passed');
    const again = held.filter((one) => (one.diagnostic()?.retryCount ?? 0) > 0).length;
    const { name, version } = resolveSubject();
    process.stdout.write(
      `Conformance: ${held.length} of ${statements.length} statements hold for the ${name}, ` +
        `chmpx ${version}${again > 0 ? `; ${again} of them after another try` : ''}\n`,
    );
  }
}
