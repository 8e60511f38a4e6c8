import type { PayloadInput } from '@switchyard/protocol';
import type { Logger } from '@switchyard/runtime';
import type { PermitWire } from './permit-client.ts';

/** What is needed of the link to the orchestrator. */
interface AskingLink {
  readonly state: string;
  send(type: 'permit-request', payload: PayloadInput<'permit-request'>): unknown;
  send(type: 'usage-report', payload: PayloadInput<'usage-report'>): unknown;
}

/** The way to the orchestrator over a link; a word that did not leave is said again on the next connection. */
export function permitWire(link: AskingLink, logger: Logger): PermitWire {
  const said = (send: () => void): boolean => {
    if (link.state !== 'connected') return false;
    try {
      send();
      return true;
    } catch (error) {
      logger.warn({ err: error }, 'what models need could not be told');
      return false;
    }
  };
  return {
    ask: (payload) => said(() => link.send('permit-request', payload)),
    report: (payload) => said(() => link.send('usage-report', payload)),
  };
}
