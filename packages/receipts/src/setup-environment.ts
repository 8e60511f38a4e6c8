import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const passedOn =
  /^(https?_proxy|no_proxy|all_proxy|npm_config_registry|npm_config_cafile|node_extra_ca_certs|pip_index_url)$/i;

/** What a set-up that may use the network is given of the operator's environment: registries and proxies. */
export function setupEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => passedOn.test(entry[0]) && entry[1] !== undefined,
  );
  const registry = registryOf(join(env['HOME'] ?? homedir(), '.npmrc'));
  return { ...(registry !== undefined && { npm_config_registry: registry }), ...Object.fromEntries(kept) };
}

/** The user's package registry; nothing else of the file, since it may hold tokens. */
function registryOf(npmrc: string): string | undefined {
  try {
    return /^\s*registry\s*=\s*["']?([^\s"']+)/m.exec(readFileSync(npmrc, 'utf8'))?.[1];
  } catch {
    // Most users have none.
    return undefined;
  }
}
