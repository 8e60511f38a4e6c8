import { z } from 'zod';
import { errorCode } from './error-codes.ts';
import { specialization } from './finding.ts';
import { durationMs, messageId, peerId, reviewId, timestampMs } from './ids.ts';
import { attemptKey } from './work-messages.ts';

/** Payloads that keep links alive and honest. */

/** `client` may do everything that a person may; `observer` only looks: agents that may not spawn, dashboards. */
export const roles = ['orchestrator', 'worker', 'reviewer', 'client', 'observer'] as const;
export const role = z.enum(roles);
export type Role = z.infer<typeof role>;

/** `heartbeat` carries nothing but signs of life, from a thread that the peer's work cannot hold up. */
export const lanes = ['control', 'bulk', 'heartbeat'] as const;
export type Lane = (typeof lanes)[number];

export const hello = z.object({
  role: role.exclude(['orchestrator']),
  lane: z.enum(lanes),
  /** Version of the program, for people; the subprotocol is what has to match. */
  version: z.string().max(50),
  host: z.string().max(255),
  pid: z.number().int().min(0),
  /** What a worker offers: `os:linux`, `arch:x64`, `executor:command`, worker types and what the operator adds. */
  labels: z.array(z.string().max(100)).max(100).default([]),
  /** Attempts at once; 0 for clients. */
  slots: z.number().int().min(0).max(1000).default(0),
  specializations: z.array(specialization).default([]),
  /** Attempts and reviews still held, so that a reconnect or a restart resumes them. */
  holding: z.array(attemptKey).max(1000).default([]),
  reviewing: z.array(reviewId).max(1000).default([]),
});
export type Hello = z.infer<typeof hello>;

export const welcome = z.object({
  peer: peerId,
  /** Names the orchestrator's state folder; changes when that is another one. */
  hub: z.string().max(200),
  version: z.string().max(50),
  heartbeatIntervalMs: durationMs,
  /** A lasting token in exchange for the one-time token of an invitation. */
  token: z.string().max(200).optional(),
  /** Attempts of `holding` that are no longer the peer's: stop them. */
  fenced: z.array(attemptKey),
});
export type Welcome = z.infer<typeof welcome>;

export const heartbeat = z.object({
  /** Counts turns of the sender's main loop; one that stands still makes the peer `unverifiable`. */
  progress: z.number().int().min(0),
  freeSlots: z.number().int().min(0).optional(),
});

/** A message that changed nothing, or not what its sender wanted, and why: its sender is told, and logs it. */
export const ignoredMessage = z.object({
  id: messageId,
  type: z.string().max(100),
  ...attemptKey.shape,
  /** For programs: `fenced`, `over`, `unknown-run` and the like; later versions may have more. */
  reason: z.string().max(100),
  /** For people. */
  text: z.string().max(4000),
});
export type IgnoredMessage = z.infer<typeof ignoredMessage>;

/** `of` need not come again; `ignored` says which of them changed nothing. */
export const ack = z.object({
  of: z.array(messageId).min(1).max(10_000),
  ignored: z.array(ignoredMessage).max(1000).optional(),
});
export const errorPayload = z.object({
  code: errorCode,
  message: z.string().max(4000),
  details: z.record(z.string(), z.unknown()).optional(),
});
/** Says that the bulk lane dropped messages at its limit. */
export const gap = z.object({ dropped: z.number().int().min(1), since: timestampMs });
/** The peer stops taking new work; it finishes or hands back what it holds. */
export const draining = z.object({ reason: z.string().max(500) });
/** Asks a peer to drain and end. */
export const shutdown = z.object({ reason: z.string().max(500) });

export const logLine = z.object({
  daemon: z.string().max(100),
  /** One pino line, JSON, without the newline. */
  line: z.string().max(16_384),
});
