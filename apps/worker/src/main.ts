import { runDaemon } from '@switchyard/peer';
import { asksForHelp, flagsHelp } from '@switchyard/runtime';
import { compose } from './compose.ts';
import { configSchema, readConfig } from './config.ts';

if (asksForHelp(process.argv.slice(2)))
  process.stdout.write(flagsHelp('switchyard worker [flags]', configSchema));
else runDaemon(() => compose(readConfig()));
