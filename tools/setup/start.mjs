// `npm start`: sets up what is missing, copies this repository's tracked files into a fresh temporary git
// repository, and runs the bundled plan on the copy: an orchestrator, two workers and a reviewer of its own, as
// processes. The report stays; the copy and all other state go.
//   npm start                      the whole run; exit code 0
//   npm start -- --fail            a task fails, what depends on it is skipped, the rest completes; exit code 1
//   npm start -- --keep            leaves the copy and the state folder, and says where
//   npm start -- --no-sandbox      without isolation, for machines that have none
// Other arguments go to `switchyard run`.
import { mkdtempSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { captureLater, runHere } from './child.mjs';
import { ensure, root } from './ensure.mjs';
import { Interrupted } from './interrupted.mjs';
import { keepLayers, keptFolder, takeLayers } from './kept-layers.mjs';
import { endWith } from './setup-error.mjs';
import { endDaemonsOf, removeAll } from './throw-away.mjs';
import { commitAll, makeWorkCopy } from './work-copy.mjs';

const examples = join('tools', 'examples', 'self-report');
const plan = join(examples, 'plan.yaml');
const warmUp = join(examples, 'warm.yaml');
const cli = join(root, 'apps', 'cli', 'bin', 'switchyard.mjs');
const own = new Set(['--fail', '--keep']);
/** `interrupted` of packages/protocol/src/error-codes.ts. */
const interruptedCode = 130;

/** Two workers and a reviewer, from the start. */
const fleet = {
  SWITCHYARD_WORKERS_MIN: '2',
  SWITCHYARD_WORKERS_MAX: '2',
  SWITCHYARD_REVIEWERS_MIN: '1',
  SWITCHYARD_REVIEWERS_MAX: '1',
};

await endWith(async () => {
  const args = process.argv.slice(2);
  ensure({ sandbox: !args.includes('--no-sandbox') });
  const interrupted = new Interrupted();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'switchyard-start-')));
  const job = { folder, copy: join(folder, 'repository'), state: join(folder, 'state'), args, interrupted };
  try {
    const code = await perform(job);
    return (await interrupted.told()) ? interruptedCode : code;
  } catch (error) {
    // What was under way fails by it.
    if (await interrupted.told()) return interruptedCode;
    throw error;
  } finally {
    if (args.includes('--keep')) console.log(`kept: ${job.copy}\n      ${job.state}`);
    else await cleanUp(job);
    interrupted.close();
  }
});

async function perform(job) {
  makeWorkCopy(root, job.copy);
  if (job.args.includes('--fail')) allowFewerLicences(job.copy);
  return withLayers(job, () => runPlan(job));
}

function runPlan({ copy, state, args }) {
  console.log(`running ${plan} on a copy of this repository`);
  const passedOn = args.filter((arg) => !own.has(arg));
  const env = { ...fleet, ...process.env, SWITCHYARD_STATE: state, SWITCHYARD_HUB: '' };
  if (!args.includes('--keep')) env.SWITCHYARD_THROWN_AWAY = '1';
  return runHere(process.execPath, [cli, 'run', plan, ...passedOn], { cwd: copy, env });
}

/** Finds the dependency layer of the last time, or builds it, so that the run itself needs no network. */
async function withLayers(job, run) {
  const kept = keptFolder([join(root, 'package-lock.json'), join(root, warmUp)]);
  const layers = await layersOf(job);
  if (await job.interrupted.told()) return interruptedCode;
  if (kept === undefined || !takeLayers(kept, layers)) {
    const code = await buildLayer(job);
    if (code !== 0) return code;
  }
  try {
    return await run();
  } finally {
    // What stays for a look stays whole.
    if (kept !== undefined && !job.args.includes('--keep')) keepLayers(kept, layers);
  }
}

/** Where the daemons will look for layers; asked of the program itself. */
async function layersOf({ copy, state }) {
  const { register } = await import('tsx/esm/api');
  const unregister = register();
  const { repositoryStateRoot } = await import('../../packages/runtime/src/state-folder.ts');
  await unregister();
  return join(repositoryStateRoot(state, join(copy, '.git')), 'layers');
}

async function buildLayer({ copy, state, args }) {
  console.log('building the dependency layer (once per lockfile)');
  const started = performance.now();
  const env = { ...process.env, SWITCHYARD_STATE: state, SWITCHYARD_HUB: '', SWITCHYARD_REVIEWERS_MAX: '0' };
  const noSandbox = args.filter((arg) => arg === '--no-sandbox');
  const { code, output } = await captureLater(process.execPath, [cli, 'run', warmUp, ...noSandbox], {
    cwd: copy,
    env,
  });
  if (code === interruptedCode) return code;
  if (code !== 0) console.error(output.trimEnd());
  else console.log(`dependency layer built in ${Math.round((performance.now() - started) / 1000)} s`);
  return code;
}

/** Makes the licence task fail for a true reason: the policy no longer allows what nearly everything has. */
function allowFewerLicences(copy) {
  const file = join(copy, examples, 'licence-policy.json');
  const { allowed } = JSON.parse(readFileSync(file, 'utf8'));
  const fewer = allowed.filter((licence) => licence !== 'MIT');
  writeFileSync(file, `${JSON.stringify({ allowed: fewer }, undefined, 2)}\n`);
  commitAll(copy, 'Allow fewer licences, to see a run with a failing task');
}

/** Removes everything but the reports, so that the paths that were printed still lead to them. */
async function cleanUp({ folder, state, interrupted }) {
  await endDaemonsOf(folder);
  const isInterrupted = await interrupted.told();
  // Nobody was told of a report then.
  const reports = isInterrupted ? [] : filesOf(state).filter(isReport);
  const kept = new Set(reports);
  for (let up of reports) while (up !== folder) kept.add((up = dirname(up)));
  const trouble = await removeAll(kept.size === 0 ? [folder] : allBut(kept, folder));
  if (trouble !== undefined) console.error(trouble);
  else if (kept.size > 0)
    console.log(
      'the copy and its branches are gone; the report stays, and what it says to apply went with them',
    );
  else if (isInterrupted) console.log('stopped; the copy is gone, and this checkout is as it was');
}

function isReport(file) {
  return /\/runs\/[^/]+\/report\.(md|html|json)$/.test(file);
}

/** The topmost of what is not kept. */
function allBut(kept, folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!kept.has(path)) return [path];
    return entry.isDirectory() ? allBut(kept, path) : [];
  });
}

function filesOf(folder, depth = 5) {
  return list(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return depth > 0 && !['layers', 'checkouts', 'node_modules'].includes(entry.name)
      ? filesOf(path, depth - 1)
      : [];
  });
}

function list(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // The run ended before it had a state folder.
    return [];
  }
}
