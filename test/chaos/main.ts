import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { killAtSteps } from './kill-steps.ts';
import { playRounds, type RoundsOptions } from './rounds.ts';

const usage = `usage: npm run chaos -- [--rounds 20] [--tasks 60] [--faults 8] [--seed S] [--converge-minutes 10]
Real daemons carry out a plan while they are killed, paused and cut off; each round must end as the undisturbed run.

       npm run chaos -- --steps [--only TEXT]
An orchestrator is killed at every step of git and journal, one after the other; each time the next must end as if nothing
had been. \`--only\`: at steps whose names have this text.
`;

async function playSteps(only: string): Promise<boolean> {
  let done = 0;
  const outcomes = await killAtSteps({
    choose: (steps) => steps.filter((step) => step.includes(only)),
    say: ({ step, met, violations }) => {
      done += 1;
      const how = violations.length > 0 ? violations.join('\n  ') : met ? 'ok' : 'not met this time';
      process.stdout.write(`${done} ${step}: ${how}\n`);
    },
  });
  const wrong = outcomes.filter(({ violations }) => violations.length > 0).length;
  process.stdout.write(`${outcomes.length} steps, ${wrong} with violations\n`);
  return outcomes.length > 0 && wrong === 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      tasks: { type: 'string', default: '60' },
      faults: { type: 'string', default: '8' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      'converge-minutes': { type: 'string', default: '10' },
      steps: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) process.stdout.write(usage);
  else if (values.steps) process.exitCode = (await playSteps(values.only)) ? 0 : 1;
  else {
    const options: RoundsOptions = {
      rounds: Number(values.rounds),
      tasks: Number(values.tasks),
      faults: Number(values.faults),
      seed: Number(values.seed),
      convergeMs: Number(values['converge-minutes']) * 60_000,
      say: (line) => process.stdout.write(`${line}\n`),
    };
    const failed = (await playRounds(options)).filter(({ violations }) => violations.length > 0);
    process.exitCode = failed.length === 0 ? 0 : 1;
  }
}
