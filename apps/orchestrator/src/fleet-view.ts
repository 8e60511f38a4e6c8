import { hostname } from 'node:os';
import { peerId, type PeerView } from '@switchyard/protocol';
import { programVersion } from '@switchyard/runtime';
import type { AbsentPeer } from './dead-peers.ts';
import type { Fleet, FleetPeer } from './fleet.ts';
import type { Instances } from './ports.ts';

/** What clients see of the fleet: who is there, who is missed, who has died lately, and who is being started. */
export function fleetView(fleet: Fleet, instances: Instances): PeerView[] {
  return [
    ...fleet.all().map((entry) => peerView(entry, instances.isLocal(entry.peer))),
    ...instances.starting().map(startingView),
    ...fleet.absent().map(absentView),
  ];
}

function peerView(entry: FleetPeer, local: boolean): PeerView {
  const { hello, since, busy, peer } = entry;
  const state = entry.state === 'connected' ? (busy > 0 ? 'busy' : 'idle') : entry.state;
  const { liveness, since: livenessSince, reason } = entry.contact;
  return {
    ...{ peer, role: hello.role, state, liveness, livenessSince },
    ...(reason === undefined ? {} : { reason }),
    ...saidOf(hello),
    ...{ busy, local, since },
  };
}

function absentView({ peer, role, liveness, since, reason, hello, connectedAt }: AbsentPeer): PeerView {
  return {
    ...{ peer, role, state: liveness, liveness, livenessSince: since, reason },
    ...saidOf(hello ?? { host: 'unknown', pid: 0, version: 'unknown', labels: [], slots: 0 }),
    ...{ busy: 0, local: false, since: connectedAt ?? since },
  };
}

type Said = Pick<PeerView, 'host' | 'pid' | 'version' | 'labels' | 'slots'>;
function saidOf({ host, pid, version, labels, slots }: Said): Said {
  return { host, pid, version, labels, slots };
}

/** A local instance that has not said hello yet. */
function startingView({ role, pid, since }: ReturnType<Instances['starting']>[number]): PeerView {
  return {
    ...{ peer: peerId.parse(`starting-${pid}`), role, state: 'starting' },
    ...saidOf({ host: hostname(), pid, version: programVersion, labels: [], slots: 0 }),
    ...{ busy: 0, local: true, since },
  };
}
