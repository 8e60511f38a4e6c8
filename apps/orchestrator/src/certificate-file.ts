import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCertificate, type Certificate } from '@switchyard/transport';
import { z } from 'zod';

const stored = z.object({
  hosts: z.array(z.string()),
  cert: z.string(),
  key: z.string(),
  fingerprint: z.string(),
});

/** The certificate of this state folder for these hosts; made once, because invitations name its fingerprint. */
export async function openCertificate(folder: string, hosts: readonly string[]): Promise<Certificate> {
  const file = join(folder, 'certificate.json');
  const found = readStored(file);
  if (found !== undefined && found.hosts.join() === hosts.join()) return found;
  const made = await createCertificate(hosts);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(file, JSON.stringify({ hosts, ...made }), { mode: 0o600 });
  return made;
}

function readStored(file: string): z.infer<typeof stored> | undefined {
  try {
    return stored.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined; // missing, or damaged: made anew, and old invitations then name another fingerprint
  }
}
