import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { AppError, limits } from '@switchyard/protocol';
import { makeFolderSync } from '@switchyard/runtime';
import { layerScratch } from './layer-mounts.ts';
import type { LayerRequest, LayersOptions } from './layer-request.ts';
import type { ReceiptCommand } from './receipt-sandbox.ts';
import { publicRegistries } from './setup-environment.ts';
import { walkTree } from './tree-walk.ts';

type BuildOptions = Pick<LayersOptions, 'sandbox' | 'networkEnv' | 'registries'>;

const setupTimeoutMs = 15 * 60_000;
const entriesMax = 1_000;

/**
 * Runs the set-up in the checkout `tree` of a folder, and moves what it made into `layer` beside it. The answer is the
 * topmost paths. Rejects with AppError E_SETUP_FAILED.
 */
export async function buildLayer(
  work: string,
  request: LayerRequest,
  options: BuildOptions,
): Promise<string[]> {
  const tree = join(work, 'tree');
  const before = new Set([...walkTree(tree, () => true)].map(({ path }) => path));
  await runSetup(work, request, options);
  const entries = newEntries(tree, before);
  const built = join(work, 'layer');
  makeFolderSync(built);
  for (const entry of entries) moveEntry(join(tree, entry), join(built, 'files', entry));
  writeFileSync(join(built, 'layer.json'), JSON.stringify({ entries, setup: request.setup }));
  return entries;
}

async function runSetup(work: string, request: LayerRequest, options: BuildOptions): Promise<void> {
  for (const line of request.setup.run) {
    const result = await options.sandbox.run(setupCommand(line, work, { request, options }));
    request.signal.throwIfAborted();
    if (result.ended === 'exited' && result.exitCode === 0) continue;
    const how = result.ended === 'exited' ? `ended with exit code ${result.exitCode}` : `was ${result.ended}`;
    const hint = networkHint(request.setup, result.refusedHosts);
    throw new AppError('E_SETUP_FAILED', `the set-up "${line}" ${how}${hint}`, {
      details: { outputTail: result.output.slice(-limits.receiptOutputBytes) },
    });
  }
}

function placesOf({ network }: LayerRequest['setup'], registries: readonly string[] = []) {
  const hosts = network.filter((place) => place !== 'registry');
  if (hosts.length === network.length) return { allow: hosts, operator: [] };
  return { allow: [...hosts, ...publicRegistries], operator: registries };
}

function setupCommand(
  line: string,
  work: string,
  { request, options }: { readonly request: LayerRequest; readonly options: BuildOptions },
): ReceiptCommand {
  const tree = join(work, 'tree');
  // On the disk, since package managers keep whole archives there.
  const home = join(work, 'home');
  makeFolderSync(home);
  const isOnline = request.setup.network.length > 0;
  return {
    argv: ['sh', '-c', line],
    cwd: tree,
    mounts: [
      { kind: 'write' as const, source: tree },
      { kind: 'write' as const, source: home },
      ...(isOnline ? certificateFiles(options.networkEnv) : []),
    ],
    env: { ...(isOnline ? options.networkEnv : {}), HOME: home, CI: '1' },
    network: isOnline ? placesOf(request.setup, options.registries) : ('none' as const),
    timeoutMs: setupTimeoutMs,
    signal: request.signal,
    ...(request.onOutput !== undefined && { onOutput: request.onOutput }),
  };
}

/** Certificates that the operator's configuration names, where they lie outside what every command sees. */
function certificateFiles(env: Readonly<Record<string, string>> = {}) {
  const named = Object.entries(env).filter(([name]) =>
    /^(npm_config_cafile|node_extra_ca_certs)$/i.test(name),
  );
  const files = new Set(named.map(([, file]) => file));
  return [...files]
    .filter((file) => isAbsolute(file) && !/^\/(?:usr|etc\/ssl|etc\/pki)\//.test(file) && existsSync(file))
    .map((source) => ({ kind: 'read' as const, source }));
}

function networkHint({ network }: LayerRequest['setup'], refused: readonly string[] = []): string {
  if (network.length === 0) return ' (it has no network; `setup.network` in the plan allows it)';
  if (refused.length === 0) return '';
  return ` (it asked for ${refused.join(', ')}, which \`setup.network\` in the plan does not allow)`;
}

/** The topmost files and folders that were not there before. */
function newEntries(tree: string, before: ReadonlySet<string>): string[] {
  const entries: string[] = [];
  for (const { path, entry } of walkTree(tree, (folder) => before.has(folder))) {
    // A link cannot be mounted, and what it leads to stands elsewhere.
    if (!before.has(path) && (entry.isDirectory() || entry.isFile())) entries.push(path);
  }
  if (entries.length <= entriesMax) return entries;
  const text = `the set-up made ${entries.length} files and folders all over the checkout; a layer holds ${entriesMax}`;
  throw new AppError('E_SETUP_FAILED', text);
}

function moveEntry(from: string, to: string): void {
  makeFolderSync(dirname(to));
  renameSync(from, to);
  if (!to.endsWith('/node_modules')) return;
  for (const name of layerScratch) makeFolderSync(join(to, name));
}
