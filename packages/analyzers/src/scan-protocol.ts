import { finding, specialization } from '@switchyard/protocol';
import { z } from 'zod';
import { fileFacts } from './code/file-facts.ts';

/** What the scan process can do to one file, which it is told and never reads. */
export const scanKinds = ['syntax', 'secrets', 'text', 'load-linter', 'lint', 'facts'] as const;

/** One piece of work for the scan process. */
export const scanJob = z.object({
  id: z.number().int(),
  scan: z.enum(scanKinds),
  specializations: z.array(specialization),
  path: z.string(),
  text: z.string(),
  /** For `lint`: the deeper set. */
  deep: z.boolean().optional(),
});
export type ScanJob = z.infer<typeof scanJob>;

/** What the scan process answers. */
export const scanAnswer = z.discriminatedUnion('kind', [
  z.object({
    id: z.number().int(),
    kind: z.literal('found'),
    findings: z.array(
      finding.extend({ endLine: z.number().int().optional(), caused: z.boolean().optional() }),
    ),
  }),
  z.object({ id: z.number().int(), kind: z.literal('facts'), facts: fileFacts }),
  z.object({ id: z.number().int(), kind: z.literal('skipped'), reason: z.string() }),
  z.object({ id: z.number().int(), kind: z.literal('broken'), message: z.string() }),
]);
export type ScanAnswer = z.infer<typeof scanAnswer>;
