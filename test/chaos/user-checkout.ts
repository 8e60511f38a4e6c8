import type { Scenario } from '../scenarios/harness.ts';

/** The user's checkout with work of theirs in it, and what became of it. */
export class UserCheckout {
  private readonly scenario: Scenario;
  private readonly before: Readonly<Record<string, string>>;

  /** Makes it dirty: a changed file, an untracked one and a staged one. */
  constructor(scenario: Scenario) {
    this.scenario = scenario;
    scenario.write({ 'readme.txt': 'changed\n', 'untracked.txt': 'mine\n', 'staged.txt': 'mine too\n' });
    scenario.git('add', 'staged.txt');
    this.before = this.look();
  }

  /** What is not as it was; empty: nothing changed. */
  changes(): string[] {
    const now = this.look();
    return Object.entries(this.before).flatMap(([what, text]) =>
      now[what] === text ? [] : [`the user's ${what} changed from ${text} to ${now[what] ?? ''}`],
    );
  }

  private look(): Record<string, string> {
    const { scenario } = this;
    const refs = scenario.git('for-each-ref', '--format=%(refname) %(objectname)');
    return {
      status: scenario.git('status', '--porcelain=v2', '--branch', '--untracked-files=all'),
      difference: scenario.git('diff', 'HEAD'),
      refs: refs
        .split('\n')
        .filter((line) => !line.startsWith('refs/heads/switchyard/') && !line.startsWith('refs/switchyard/'))
        .join('\n'),
      configuration: scenario.git('config', '--local', '--list'),
    };
  }
}
