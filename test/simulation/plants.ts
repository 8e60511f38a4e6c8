/** A bug that is planted at a port of the production code, so that the tester is tested. */
export const plants = [
  'acknowledge-before-journal',
  'no-fence-check',
  'outbox-cleared-on-send',
  'lost-wake-up',
  'careless-merge',
  'no-owner-check',
] as const;
export type Plant = (typeof plants)[number];
