import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@switchyard/runtime';
import { createCertificate, type Certificate } from '@switchyard/transport';
import { z } from 'zod';

const stored = z.object({
  hosts: z.array(z.string()),
  cert: z.string(),
  key: z.string(),
  fingerprint: z.string(),
});

/**
 * The certificate of this state folder; made once, because invitations name its fingerprint, and anew only for hosts that
 * it does not name.
 */
export async function openCertificate(
  folder: string,
  { hosts, logger }: { readonly hosts: readonly string[]; readonly logger: Logger },
): Promise<Certificate> {
  const file = join(folder, 'certificate.json');
  const found = readStored(file);
  if (found !== undefined && hosts.every((host) => found.hosts.includes(host))) return found;
  if (found !== undefined)
    logger.warn(
      { file, reason: `the one before names ${found.hosts.join(', ')} only` },
      'certificate made anew: workers and reviewers of other machines refuse it until they are invited again',
    );
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
