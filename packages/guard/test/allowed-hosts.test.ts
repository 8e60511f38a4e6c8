import { expect, it } from 'vitest';
import { findRule, hostRule, isPrivateAddress, readPlace } from '../src/allowed-hosts.ts';

it.each([
  ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.9.9.9', '169.254.169.254', '172.16.0.1'],
  ...['172.31.255.255', '192.0.0.8', '192.168.1.1', '198.18.0.1', '224.0.0.251', '255.255.255.255'],
  ...['::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', 'fd00::1', 'fe80::1', 'fec0::1'],
  ...['ff02::1', '2002:7f00:1::', '2001:0:1::', '64:ff9b::a00:1', 'no address'],
])('%s is not public', (address) => {
  expect(isPrivateAddress(address)).toBe(true);
});

it.each(['9.9.9.9', '172.32.0.1', '100.128.0.1', '169.253.0.1', '2620:fe::fe', '::ffff:9.9.9.9'])(
  '%s is public',
  (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  },
);

it.each([
  ['example.org', 'example.org', 443, true],
  ['example.org', 'example.org', 80, true],
  ['example.org', 'example.org', 22, false],
  ['example.org', 'a.example.org', 443, false],
  ['example.org', 'example.org.evil', 443, false],
  ['*.example.org', 'a.b.example.org', 443, true],
  ['*.example.org', 'example.org', 443, false],
  ['*.example.org', 'evilexample.org', 443, false],
  ['EXAMPLE.org.:8080', 'example.org', 8080, true],
  ['10.0.0.1:8080', '10.0.0.1', 8080, true],
  ['[::1]:9', '::1', 9, true],
] as const)('%s lets to %s at %d: %s', (entry, host, port, isLet) => {
  expect(findRule([hostRule(entry)], host, port) !== undefined).toBe(isLet);
});

it('a name may lead to a private address only where that is said: by the operator, or as the address itself', () => {
  const mayBe = (text: string, isOperators = false): boolean => hostRule(text, isOperators).mayBePrivate;
  expect(['example.org', '*.example.org', 'localhost.evil'].map((text) => mayBe(text))).toEqual([
    false,
    false,
    false,
  ]);
  expect(['10.0.0.1', '[::1]:80', 'localhost'].map((text) => mayBe(text))).toEqual([true, true, true]);
  expect(mayBe('registry.corp', true)).toBe(true);
});

it.each(['a b', '', 'x:0', 'x:65536', 'a/b', 'a@b', '[example.org]', '1.2.3.4.5:', '-a.org', 'x:80:80'])(
  '%j is no place',
  (text) => {
    expect(readPlace(text)).toBeUndefined();
  },
);
