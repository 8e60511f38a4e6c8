import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { scenarioOf } from './scenario.ts';
import { playSeeds, type Tally } from './seeds.ts';
import { failureText, shrink } from './shrink.ts';
import { plants, type Plant } from './plants.ts';

const usage = 'npm run simulate -- [--seeds N] [--from N] [--plant BUG]\n' + `  BUG: ${plants.join(', ')}\n`;

interface Asked {
  readonly from: number;
  readonly seeds: number;
  readonly plant: Plant | undefined;
}

function asked(argv: readonly string[]): Asked {
  const options = { seeds: { type: 'string' }, from: { type: 'string' }, plant: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...argv], options });
  const seeds = Number(values.seeds ?? '1000');
  const from = Number(values.from ?? '1');
  const plant = plants.find((one) => one === values.plant);
  const isWrong = !Number.isInteger(seeds) || seeds < 1 || !Number.isInteger(from) || from < 0;
  if (isWrong || (values.plant !== undefined && plant === undefined))
    throw new Error(`these arguments cannot be read\n${usage}`);
  return { seeds, from, plant };
}

/** Every `step`th seed, in a process of its own. */
function* share({ from, seeds }: Asked, part: number, step: number): Iterable<number> {
  for (let seed = from + part; seed < from + seeds; seed += step) yield seed;
}

async function part(argv: readonly string[], index: number, step: number): Promise<void> {
  const ask = asked(argv);
  const tell = (tally: Tally): void => void process.send?.({ ...tally });
  const tally = await playSeeds(share(ask, index, step), { plant: ask.plant, tell });
  process.send?.(tally, () => process.exit(0));
}

async function whole(argv: readonly string[]): Promise<number> {
  const ask = asked(argv);
  const started = performance.now();
  const step = Math.min(availableParallelism(), ask.seeds);
  const tallies: Tally[] = [];
  const children = Array.from({ length: step }, (_, index) => {
    const child = fork(fileURLToPath(import.meta.url), [...argv], {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, SWITCHYARD_SIMULATION_PART: `${index}/${step}` },
    });
    child.on('message', (tally) => {
      tallies[index] = tally as Tally;
      if (tallies[index].failure !== undefined) for (const one of children) if (one !== child) one.kill();
    });
    return child;
  });
  const progress = setInterval(() => process.stdout.write(`${figures(tallies, started)}\n`), 10_000);
  const codes = await Promise.all(
    children.map((child) => new Promise<number | null>((resolve) => child.on('exit', resolve))),
  );
  clearInterval(progress);
  process.stdout.write(`${figures(tallies, started)}\n`);
  const failure = tallies.find((tally) => tally?.failure !== undefined)?.failure;
  if (failure === undefined) return codes.every((code) => code === 0) ? 0 : 1;
  process.stdout.write(`seed ${failure.seed}: ${failure.why}\n`);
  process.stdout.write(
    `${await failureText(await shrink(scenarioOf(failure.seed), ask.plant), ask.plant)}\n`,
  );
  const again = ask.plant === undefined ? '' : ` --plant ${ask.plant}`;
  process.stdout.write(`again: npm run simulate -- --from ${failure.seed} --seeds 1${again}\n`);
  return 1;
}

function figures(tallies: readonly Tally[], started: number): string {
  const seconds = (performance.now() - started) / 1000;
  const sum = (of: (tally: Tally) => number): number => tallies.reduce((total, one) => total + of(one), 0);
  const hours = sum(({ virtualMs }) => virtualMs) / 3_600_000;
  const events = Math.round(sum((one) => one.events) / seconds);
  return `${sum((one) => one.seeds)} seeds, ${events} events/s, ${(hours / seconds).toFixed(2)} simulated hours/s`;
}

const [index, step] = (process.env['SWITCHYARD_SIMULATION_PART'] ?? '').split('/').map(Number);
const argv = process.argv.slice(2);
if (index !== undefined && step !== undefined) await part(argv, index, step);
else process.exitCode = await whole(argv);
