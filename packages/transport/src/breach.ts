import {
  AppError,
  lanes,
  openEnvelope,
  specOf,
  type CloseName,
  type Envelope,
  type Lane,
  type PeerId,
} from '@switchyard/protocol';
import type { RawEnvelope, Role } from '@switchyard/protocol';

/** A peer broke the message table: what it is told when its channel is closed. */
export class Breach extends Error {
  override readonly name = 'Breach';
  readonly closeName: CloseName;

  constructor(closeName: CloseName, message: string) {
    super(message);
    this.closeName = closeName;
  }
}

/** Who may be at the two ends of a channel. */
export interface Ends {
  readonly lane: Lane;
  readonly from: PeerId;
  readonly fromRole: Role;
  /** The receiver's names. */
  readonly to: readonly string[];
  readonly toRole: Role;
}

/** Checks an envelope's head against the table and the ends of its channel. Throws Breach. */
export function checkHead(raw: RawEnvelope, ends: Ends): void {
  const spec = specOf(raw.type);
  if (spec === undefined) throw new Breach('unknownMessage', `no message type ${JSON.stringify(raw.type)}`);
  if (raw.from !== ends.from) throw new Breach('forbidden', `${ends.from} may not send as ${raw.from}`);
  if (!ends.to.includes(raw.to)) throw new Breach('forbidden', `${raw.type} is addressed to ${raw.to}`);
  if (!spec.from.includes(ends.fromRole))
    throw new Breach('forbidden', `the role ${ends.fromRole} may not send ${raw.type}`);
  if (!spec.to.includes(ends.toRole))
    throw new Breach('forbidden', `the role ${ends.toRole} does not receive ${raw.type}`);
  if (spec.lane !== ends.lane && alsoOn[raw.type]?.includes(ends.lane) !== true)
    throw new Breach('forbidden', `${raw.type} does not travel on the ${ends.lane} lane`);
}

/** Every lane begins with a greeting; heartbeats come on the control lane, too, and show that it works. */
const alsoOn: Readonly<Record<string, readonly Lane[]>> = {
  hello: lanes,
  welcome: lanes,
  error: lanes,
  heartbeat: ['heartbeat'],
};

/** Decodes the payload, once. Throws Breach. */
export function openChecked(raw: RawEnvelope): Envelope {
  try {
    return openEnvelope(raw);
  } catch (thrown) {
    if (thrown instanceof AppError) throw new Breach('badPayload', thrown.message);
    throw thrown;
  }
}
