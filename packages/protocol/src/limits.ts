/** Every limit in one place. Bytes, counts and milliseconds as the name says. */
export const limits = {
  /** One WebSocket message on the control lane; a larger one closes the link with 4413. */
  controlFrameBytes: 16 * 1024 * 1024,
  /** One WebSocket message on the bulk lane. */
  bulkFrameBytes: 8 * 1024 * 1024,
  /** One WebSocket message on the heartbeat lane. */
  heartbeatFrameBytes: 64 * 1024,
  /** Envelopes coalesced into one frame; more is a bad frame (4400). */
  frameEnvelopes: 1_000,
  /** Control messages waiting for one peer; beyond it the peer is disconnected (4429) and resumes. */
  controlQueueMessages: 10_000,
  controlQueueBytes: 64 * 1024 * 1024,
  /** Bulk bytes waiting for one peer; beyond it the oldest are dropped and a `gap` says how many. */
  bulkQueueBytes: 8 * 1024 * 1024,
  /** From the WebSocket upgrade to a valid `hello`; then 4408. */
  helloTimeoutMs: 10_000,
  heartbeatIntervalMs: 2_000,
  /** Silence after which a peer is `unverifiable`. */
  unverifiableAfterMs: 6_000,
  /** Silence after which a lease is given to another worker. */
  leaseGraceMs: 30_000,
  /** How long the main loop of a process that lives may stand still; then it is out of contact as if it were silent. */
  hungAfterMs: 5 * 60_000,
  /** How long a peer that counts as dead is shown to who asks for the fleet, and how many at most. */
  deadShownMs: 60 * 60_000,
  deadPeersShown: 100,
  requestTimeoutMs: 30_000,
  /** Requests of one client that wait for their answers; beyond it E_QUEUE_FULL answers. */
  requestsInFlight: 5_000,
  /** Sockets of one hub, authenticated or not. */
  connections: 4_096,
  reconnectMinMs: 100,
  reconnectMaxMs: 10_000,
  planFileBytes: 4 * 1024 * 1024,
  markdownPlanBytes: 256 * 1024,
  planTasks: 10_000,
  planProblemsShown: 200,
  receiptOutputBytes: 8_192,
  commandOutputBytes: 1024 * 1024,
  /** Without a line of an agent for so long, it counts as dead: builds and tests that it runs print nothing either. */
  agentSilenceMs: 15 * 60_000,
  /** From the end of an agent's turn to the end of its process; then it is killed, and its work counts. */
  agentExitGraceMs: 5_000,
  /** How long an agent may take to answer that it is there. */
  agentStartMs: 180_000,
  /** From the word to stop to the end of an agent's turn; then it is killed. */
  agentCancelMs: 3_000,
  /** Of one transcript; of a longer one its first and its last half are kept. */
  transcriptBytes: 8 * 1024 * 1024,
  /** Of one worker; the oldest are taken away. */
  transcriptsKept: 200,
  findingsPerReview: 3_000,
  /** How long an attempt waits at work for the answer to its question; then it ends, and asks as an escalation. */
  questionWaitMs: 10 * 60_000,
  /** Questions that one attempt may ask while it runs; after them it ends with the next. */
  questionsOfAttempt: 20,
  /** How often an agent that drafts a plan may hand one in, and how long one may be. */
  draftRoundsMax: 10,
  draftChars: 512 * 1024,
  /** Tasks that one attempt in orchestrator mode may add to its run. */
  spawnsOfAttempt: 50,
  /** How much longer than its own time a process of an attempt may live while its model or an answer is waited for. */
  attemptHoldMs: 24 * 60 * 60_000,
  escalationWaitMs: 60 * 60_000,
  gateWaitMs: 24 * 60 * 60_000,
  /** How long a gate of mode `notify` may be stopped before it goes on by itself. */
  gateNotifyMs: 15 * 60_000,
  /** How long a ready task may wait for a worker that can take it; then it fails with E_NO_WORKER. */
  noWorkerWaitMs: 30 * 60_000,
  reviewTimeoutMs: 5 * 60_000,
  attemptTimeoutMs: 20 * 60_000,
  /** Between two looks at what an attempt has done so far. */
  wipIntervalMs: 60_000,
  /** How long a starting daemon may take until it says hello. */
  spawnTimeoutMs: 20_000,
  /** From the first ctrl-C to the end of every process. */
  drainMs: 4_000,
  localWorkers: 5,
  localWorkersMax: 50,
  outboxEntries: 10_000,
} as const;
