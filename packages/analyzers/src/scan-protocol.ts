import { finding, specialization } from '@switchyard/protocol';
import { z } from 'zod';

/** What the scan process can do to one file. */
export const scanKinds = ['syntax', 'secrets', 'text'] as const;

/** One piece of work for the scan process. */
export const scanJob = z.object({
  id: z.number().int(),
  scan: z.enum(scanKinds),
  specialization,
  root: z.string(),
  path: z.string(),
});
export type ScanJob = z.infer<typeof scanJob>;

/** What the scan process answers. */
export const scanAnswer = z.discriminatedUnion('kind', [
  z.object({
    id: z.number().int(),
    kind: z.literal('found'),
    findings: z.array(finding.extend({ endLine: z.number().int().optional() })),
  }),
  z.object({ id: z.number().int(), kind: z.literal('skipped'), reason: z.string() }),
  z.object({ id: z.number().int(), kind: z.literal('broken'), message: z.string() }),
]);
export type ScanAnswer = z.infer<typeof scanAnswer>;
