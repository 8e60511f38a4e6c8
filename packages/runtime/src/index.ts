export { sleep, steadyClock, systemClock, within, type Clock } from './clock.ts';
export { systemRandom, type Random } from './random.ts';
export { backoffMs, type BackoffOptions } from './backoff.ts';
export {
  layOutStateFolder,
  openStateFolder,
  repositoryStateRoot,
  requireOwner,
  stateRoot,
  unwritableState,
  writeState,
  type StateFolder,
} from './state-folder.ts';
export { claimProject, readProject, requireProject } from './state-project.ts';
export { openLog, silentLogger, type Log, type Logger, type LogOptions } from './log.ts';
export { makeFolder, makeFolderSync } from './make-folder.ts';
export { removeTree } from './remove-tree.ts';
export { redactor, secretsOf } from './secrets.ts';
export { Shutdown } from './shutdown.ts';
export { asksForHelp, flagsHelp, loadConfig, readFlags, type ConfigSources } from './config.ts';
export { programVersion } from './version.ts';
export { ownProcess, ownThread, type OwnProcess } from './own-process.ts';
export { createMetrics, metricTable, type MetricName, type Metrics } from './metrics.ts';
export { isDiskFull, machineTrouble, operatingError, type MachineTrouble } from './machine-trouble.ts';
export {
  acquireLock,
  isAlive,
  lockHolder,
  processStart,
  type LockHolder,
  type LockResult,
} from './process-lock.ts';
export { logFieldTable } from './log-fields.ts';
export {
  connectThrough,
  proxyFor,
  proxyHeaders,
  upstreamProxyOf,
  type UpstreamProxy,
} from './upstream-proxy.ts';
