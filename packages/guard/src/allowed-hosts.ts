/**
 * Which places a process may reach: a list of hosts and ports, and the addresses behind their names. A name is no
 * proof of where it leads, so an address that belongs to this machine or its neighbours is refused unless the list
 * names that very address.
 */
import { BlockList, isIP } from 'node:net';
import { AppError } from '@switchyard/protocol';

/** One entry of a list. */
export interface HostRule {
  /** A name in lower case, an address, or `*.` and the end of a name. */
  readonly host: string;
  readonly ports: readonly number[];
  /** Whether it may lead to a private address: it is one, or the operator's own configuration names it. */
  readonly mayBePrivate: boolean;
}

const defaultPorts = [80, 443];
const label =
  /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,62}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}[a-z0-9_])?)*$/;

/** Reads one entry: `host`, `*.host`, an address (IPv6 in brackets where a port follows), each with or without port. Throws E_SANDBOX. */
export function hostRule(text: string, isOperators = false): HostRule {
  const place = readPlace(text.trim());
  if (place === undefined)
    throw new AppError(
      'E_SANDBOX',
      `"${text.slice(0, 100)}" is no host that a network can be opened to; write example.org, *.example.org or 10.0.0.1:8080`,
    );
  const { host, port } = place;
  return {
    host,
    ports: port === undefined ? defaultPorts : [port],
    mayBePrivate: isOperators || isIP(host) !== 0 || host === 'localhost',
  };
}

/** The rule that allows a place; undefined: none. */
export function findRule(rules: readonly HostRule[], host: string, port: number): HostRule | undefined {
  return rules.find(
    (rule) =>
      rule.ports.includes(port) &&
      (rule.host === host || (rule.host.startsWith('*.') && host.endsWith(rule.host.slice(1)))),
  );
}

/** A host and a port as a client or a list writes them; undefined for anything else. */
export function readPlace(text: string): { readonly host: string; readonly port?: number } | undefined {
  const [, bracketed, plain, portText] =
    /^(?:\[([0-9a-f:.]+)\]|([^[\]:]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const bare = isIP(text) === 6 ? text : (bracketed ?? plain);
  const host = bare?.toLowerCase().replace(/(?<=.)\.$/, '');
  if (host === undefined || host.length > 253) return undefined;
  if (bracketed === undefined ? isIP(host) === 0 && !label.test(host) : isIP(host) !== 6) return undefined;
  if (isIP(text) === 6 || portText === undefined) return { host };
  const port = Number(portText);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

/** One list a version: in a list with `::ffff:0:0/96` every address of version 4 would be found. */
const special = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local; clouds answer questions about the machine at 169.254.169.254
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  special.ipv4.addSubnet(address, bits, 'ipv4');
for (const [address, bits] of [
  ['::', 96], // unspecified, loopback, and IPv4 in the old form
  ['::ffff:0:0', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['2002::', 16], // IPv4 inside: what stands there is not looked at, so none of it is public
  ['2001::', 32],
  ['64:ff9b::', 32],
] as const)
  special.ipv6.addSubnet(address, bits, 'ipv6');

/** Whether an address is this machine's, its neighbours', or nobody's: everything that is not plainly public. */
export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  const version = isIP(plain);
  if (version === 0) return true;
  return version === 4 ? special.ipv4.check(plain, 'ipv4') : special.ipv6.check(plain, 'ipv6');
}
