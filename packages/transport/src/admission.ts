import { specOf, type Hello, type RawEnvelope } from '@switchyard/protocol';
import { Breach, openChecked } from './breach.ts';
import type { Grant } from './hub-interface.ts';

/** Checks the first envelope of a channel against what its token allows. Throws Breach. */
export function admit(raw: RawEnvelope, grant: Grant, hubNames: readonly string[]): Hello {
  if (specOf(raw.type) === undefined)
    throw new Breach('unknownMessage', `no message type ${JSON.stringify(raw.type)}`);
  if (raw.type !== 'hello') throw new Breach('helloTimeout', `${raw.type} before hello`);
  if (!hubNames.includes(raw.to)) throw new Breach('forbidden', `hello is addressed to ${raw.to}`);
  if (hubNames.includes(raw.from)) throw new Breach('forbidden', `the name ${raw.from} is the hub's`);
  if (grant.peer !== undefined && grant.peer !== raw.from)
    throw new Breach('forbidden', `the token belongs to ${grant.peer}, not to ${raw.from}`);
  const envelope = openChecked(raw);
  if (envelope.type !== 'hello') throw new Breach('forbidden', 'not a hello');
  const { lane, role } = envelope.payload;
  if (lane !== grant.lane)
    throw new Breach('forbidden', `a hello for the ${lane} lane on the ${grant.lane} lane`);
  if (!grant.roles.includes(role)) throw new Breach('forbidden', `the token is not for the role ${role}`);
  return envelope.payload;
}
