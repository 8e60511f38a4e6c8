import { runDaemon } from '@switchyard/peer';
import { compose } from './compose.ts';
import { readConfig } from './config.ts';

runDaemon(() => compose(readConfig()));
