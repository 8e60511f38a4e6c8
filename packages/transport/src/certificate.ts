import { isIP } from 'node:net';
import { webcrypto } from 'node:crypto';
import { fingerprintOf } from './dial.ts';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
  /** `sha256:` and 64 hexadecimal digits, of the DER bytes. */
  readonly fingerprint: string;
}

const yearMs = 365 * 24 * 60 * 60_000;

/** Makes a self-signed certificate (ECDSA P-256, two years) for these host names and addresses. */
export async function createCertificate(hosts: readonly string[]): Promise<Certificate> {
  // Loaded where it is needed: most processes never make one, and each would start noticeably later.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // Positive and 16 bytes (RFC 5280 section 4.1.2.2).
    serialNumber: `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`,
    name: 'CN=switchyard',
    notBefore: new Date(now - 5 * 60_000),
    notAfter: new Date(now + 2 * yearMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host })),
      ),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    cert: certificate.toString('pem'),
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    fingerprint: fingerprintOf(new Uint8Array(certificate.rawData)),
  };
}
