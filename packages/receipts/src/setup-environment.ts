import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

const passedOn =
  /^(https?_proxy|no_proxy|all_proxy|npm_config_registry|npm_config_cafile|node_extra_ca_certs|pip_index_url)$/i;

/**
 * What a set-up that may use the network is given of the operator's environment: registries, certificates and (where
 * there is no sandbox; else the sandbox has its own) proxies.
 */
export function setupEnvironment(env: Environment): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => passedOn.test(entry[0]) && entry[1] !== undefined,
  );
  const registry = npmSettings(env).find(([key]) => key === 'registry')?.[1];
  return { ...(registry !== undefined && { npm_config_registry: registry }), ...Object.fromEntries(kept) };
}

/** Where package managers fetch from when nobody says otherwise. */
export const publicRegistries: readonly string[] = [
  'registry.npmjs.org',
  'registry.yarnpkg.com',
  'pypi.org',
  'files.pythonhosted.org',
  'index.crates.io',
  'static.crates.io',
  'proxy.golang.org',
  'sum.golang.org',
  'rubygems.org',
  'index.rubygems.org',
  'repo.packagist.org',
];

/** Variables that name a registry, whatever their case. */
const registryVariables =
  /^(npm_config_(?:@[^:]+:)?registry|pip_(extra_)?index_url|uv_(default_)?index(_url)?|goproxy|yarn_npm_registry_server)$/i;

/**
 * The registries that the operator's own configuration names, as `host:port`: environment and npm's settings. The
 * default registry counts too, since it may stand behind a mirror of the operator's.
 */
export function operatorRegistries(env: Environment): string[] {
  const named = Object.entries(env).flatMap(([name, value]) =>
    registryVariables.test(name) ? (value ?? '').split(/[\s,|]+/) : [],
  );
  const configured = npmSettings(env).flatMap(([key, value]) =>
    key === 'registry' || key.endsWith(':registry') ? [value] : [],
  );
  const places = [...named, ...configured, 'https://registry.npmjs.org/'].flatMap(placeOf);
  return [...new Set(places)];
}

function placeOf(text: string): string[] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return [];
  return [`${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`];
}

/** Keys and values of npm's own files, nearest first; whoever calls takes registries only, since they hold tokens. */
function npmSettings(env: Environment): (readonly [key: string, value: string])[] {
  const files = [
    env['npm_config_userconfig'] ?? env['NPM_CONFIG_USERCONFIG'] ?? join(env['HOME'] ?? homedir(), '.npmrc'),
    env['npm_config_globalconfig'] ?? env['NPM_CONFIG_GLOBALCONFIG'] ?? '',
    join(dirname(process.execPath), '..', 'etc', 'npmrc'),
  ];
  return files.filter((file) => file !== '').flatMap(readSettings);
}

function readSettings(file: string): (readonly [string, string])[] {
  try {
    const lines = readFileSync(file, 'utf8').matchAll(/^\s*([^\s=#;]+)\s*=\s*["']?([^\s"']+)/gm);
    return [...lines].map(([, key = '', value = '']) => [key, value] as const);
  } catch {
    // Most users have none.
    return [];
  }
}
