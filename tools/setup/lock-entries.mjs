// What package-lock.json says, read without npm.

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

/** The optional dependencies that the lock's packages name and that the lock has no entry for. */
export function missingOptionals(lock) {
  const missing = new Map();
  for (const [parent, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (resolves(lock.packages, parent, name)) continue;
      const path = `node_modules/${name}`;
      missing.set(path, { path, entry: optionalEntry(name, version, entry) });
    }
  }
  return [...missing.values()];
}

/** Whether `name`, asked for by the package at `parent`, is found by Node's way of looking up folders. */
function resolves(packages, parent, name) {
  for (let at = parent; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (Object.hasOwn(packages, at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`))
      return true;
    if (at === '') return false;
    if (!at.includes('node_modules/')) at = '';
  }
}

function optionalEntry(name, version, parent) {
  const words = name.split(/[/-]/);
  const os = systems.filter((word) => words.includes(word));
  const cpu = processors.filter((word) => words.includes(word));
  const exact = /^\d/.test(version) ? version : version.replace(/^[^\d]+/, '');
  if (
    words.some((word) => /^(gnu|musl)?eabi(hf)?$/.test(word) || word === 'musleabihf' || word === 'gnueabihf')
  )
    cpu.splice(0, cpu.length, 'arm');
  return {
    version: exact,
    ...(cpu.length > 0 ? { cpu } : {}),
    ...(parent.dev === true ? { dev: true } : {}),
    ...(words.includes('musl') || words.includes('musleabihf') ? { libc: ['musl'] } : {}),
    ...(words.includes('gnu') ? { libc: ['glibc'] } : {}),
    optional: true,
    ...(os.length > 0 ? { os } : {}),
  };
}

/**
 * Whether an installed tree (node_modules/.package-lock.json) has every package that the lock asks for, at the
 * version it asks for. What is optional may be absent; our own packages are links, which `isThere` finds.
 */
export function isInstalled(lock, installed, isThere) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (!path.includes('node_modules/')) return true;
    if (wanted.link === true) return isThere(path);
    const found = installed.packages?.[path];
    if (found === undefined) return wanted.optional === true || wanted.peer === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/** The lock's workspace folders (`packages/plan`) and the names they are linked by. */
export function lockedWorkspaces(lock) {
  return Object.entries(lock.packages)
    .filter(([path]) => path !== '' && !path.includes('node_modules/'))
    .map(([path, entry]) => ({
      path,
      name: entry.name,
      linked: lock.packages[`node_modules/${entry.name}`]?.link === true,
    }));
}
