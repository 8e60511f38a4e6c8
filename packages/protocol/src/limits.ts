/** Every limit in one place. Bytes, counts and milliseconds as the name says. */
export const limits = {
  /** One WebSocket message on the control lane; a larger one closes the link with 4413. */
  controlFrameBytes: 16 * 1024 * 1024,
  /** One WebSocket message on the bulk lane. */
  bulkFrameBytes: 8 * 1024 * 1024,
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
  findingsPerReview: 3_000,
  escalationWaitMs: 60 * 60_000,
  gateWaitMs: 24 * 60 * 60_000,
  /** How long a ready task may wait for a worker that can take it; then it fails with E_NO_WORKER. */
  noWorkerWaitMs: 30 * 60_000,
  reviewTimeoutMs: 5 * 60_000,
  attemptTimeoutMs: 20 * 60_000,
  /** How long a starting daemon may take until it says hello. */
  spawnTimeoutMs: 20_000,
  /** From the first ctrl-C to the end of every process. */
  drainMs: 4_000,
  localWorkers: 5,
  localWorkersMax: 50,
  outboxEntries: 10_000,
} as const;
