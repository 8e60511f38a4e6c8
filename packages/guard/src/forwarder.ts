/**
 * The inside half of a way out: listens on ports of the sandbox's own loopback and joins each connection with a unix
 * socket of the host that is bound into the sandbox. It decides nothing; whoever listens behind the socket does.
 */

/** Where everything of the forwarder lies inside. */
export const forwarderFolder = '/run/switchyard';

/** Runs inside, in the Node that runs us: `forward.cjs PORT:SOCKET...`; says `ready` once all ports listen. */
export const forwarderScript = `'use strict';
const net = require('node:net');
const pairs = process.argv.slice(2).map((pair) => [Number(pair.slice(0, pair.indexOf(':'))), pair.slice(pair.indexOf(':') + 1)]);
let waiting = pairs.length;
process.stdout.on('error', () => undefined);
for (const [port, path] of pairs) {
  const server = net.createServer({ allowHalfOpen: true }, (inside) => {
    const outside = net.connect({ path, allowHalfOpen: true });
    const end = () => { inside.destroy(); outside.destroy(); };
    inside.on('error', end);
    outside.on('error', end);
    inside.pipe(outside).pipe(inside);
  });
  server.on('error', (error) => { process.stdout.write(error.message + '\\n'); process.exitCode = 1; server.close(); });
  server.listen(port, '127.0.0.1', () => { if (--waiting === 0) process.stdout.write('ready\\n'); });
}
`;

/**
 * The command that starts the forwarder, waits until it listens, and becomes the command proper. The forwarder is a
 * child of the namespace's first process, not of the command, and holds none of its streams.
 */
export function throughForwarder(
  argv: readonly string[],
  pairs: readonly { readonly port: number; readonly socket: string }[],
): string[] {
  const script = [
    'way=/tmp/.switchyard-way',
    'mkfifo -m 600 "$way" || exit 125',
    '(set -f; IFS=" "; NODE_OPTIONS= NODE_EXTRA_CA_CERTS= "$1" "$2" $3 </dev/null >"$way" 2>/dev/null || echo "it ended" >"$way" &)',
    'read -r said <"$way"; rm -f "$way"',
    'if [ "$said" != ready ]; then echo "The way to the network could not be opened: $said" >&2; exit 125; fi',
    'shift 3; unset way said; exec "$@"',
  ].join('\n');
  const words = pairs.map(({ port, socket }) => `${port}:${socket}`).join(' ');
  return ['/bin/sh', '-c', script, 'sh', process.execPath, `${forwarderFolder}/forward.cjs`, words, ...argv];
}
