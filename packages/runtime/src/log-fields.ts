/** Fields of log lines that are API, beside pino's own `level`, `time`, `pid` and `msg`. */
export const logFieldTable = {
  daemon: 'which daemon wrote the line: orchestrator, or the name of a worker or reviewer',
  run: 'the run it is about',
  task: 'the task it is about, by its id in the plan',
  attempt: 'the number of the attempt',
  worker: 'the worker or reviewer it is about',
  event: 'in the orchestrator: the kind of run event that was kept',
  err: 'an error with its type, message and stack',
  reason: 'why, for people',
  place: 'a host and port that a process in the sandbox asked the proxy for',
} as const;
