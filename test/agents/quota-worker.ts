import { Gateway, Ledger, PermitClient, PriceBook, providersOf, type PermitSource } from '@switchyard/agents';
import { peerId, type TaskAssignment } from '@switchyard/protocol';
import { silentLogger, type Clock, type Random } from '@switchyard/runtime';
import { settle } from '@switchyard/testkit';
import { createLink, memoryPair, type Hub, type Link } from '@switchyard/transport';

const logger = silentLogger();

interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
}

interface LinkWords extends Surroundings {
  readonly name: string;
  readonly role: 'worker' | 'client';
  readonly take: Parameters<Link['onMessage']>[0];
}

/** A link to a hub of this process. */
export function linkTo(hub: Hub, { name, role, clock, random, take }: LinkWords): Link {
  return createLink({
    self: peerId.parse(name),
    hello: () => ({
      role,
      version: '0.1.0',
      host: 'scene',
      pid: 1,
      labels: [],
      slots: role === 'worker' ? 1 : 0,
      specializations: [],
      holding: [],
      reviewing: [],
    }),
    dial: (lane) => {
      const [ours, theirs] = memoryPair();
      hub.accept(theirs, { roles: ['worker', 'client'], lane, credential: 'operator' });
      return Promise.resolve(ours);
    },
    clock,
    random,
    logger,
    handler: {
      message: take,
      fatal: (error) => {
        throw error;
      },
    },
  });
}

/** A worker of one task, with the real gateway and its end of the quota. */
export class QuotaWorker {
  readonly link: Link;
  readonly permits: PermitClient;
  private readonly ledger = new Ledger();
  private readonly surroundings: Surroundings;
  private readonly assigned: Promise<TaskAssignment>;
  private gateway: Gateway | undefined;

  constructor(hub: Hub, name: string, surroundings: Surroundings) {
    this.surroundings = surroundings;
    const permits = new PermitClient({ ...surroundings, ledger: this.ledger });
    this.permits = permits;
    let got: (assignment: TaskAssignment) => void = () => undefined;
    this.assigned = new Promise((resolve) => (got = resolve));
    const link = linkTo(hub, {
      ...surroundings,
      name,
      role: 'worker',
      take: ({ type, payload }) => {
        if (type === 'permit-grant') permits.granted(payload);
        if (type === 'task-assignment') got(payload);
      },
    });
    this.link = link;
    permits.attach({
      ask: (payload) => link.send('permit-request', payload) !== '',
      report: (payload) => link.send('usage-report', payload) !== '',
    });
    link.onConnected(() => permits.connected());
    link.start();
  }

  /** Takes on what it was given. */
  async begin(): Promise<TaskAssignment> {
    const assignment = await this.assigned;
    const { run, taskId, attempt, fence } = assignment;
    this.link.send('task-accepted', { run, taskId, attempt, fence });
    await settle();
    return assignment;
  }

  openGateway(env: Readonly<Record<string, string>>, permits: PermitSource): Gateway {
    this.gateway = new Gateway({
      ...this.surroundings,
      providers: providersOf({ providers: {} }, env),
      prices: new PriceBook(),
      permits,
      ledger: this.ledger,
      logger,
    });
    return this.gateway;
  }

  async close(): Promise<void> {
    await this.gateway?.close();
    await this.link.close();
  }
}
