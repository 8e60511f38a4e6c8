import { z } from 'zod';
import { reviewId } from './ids.ts';
import { attemptUsage, providerName } from './model-usage.ts';
import { attemptKey } from './work-messages.ts';

/**
 * How requests to models are let through (DESIGN.md section 11): the gateway of a worker or reviewer asks for all that wait at once, the
 * orchestrator answers with time slots as they come free. Times are milliseconds of the sender's own steady clock; an
 * answer repeats what the asker needs to know how far the two clocks are apart at least and at most.
 */

/** Names one request that waits for a permit, or has one; unique in the fleet. */
export const permitId = z.string().min(8).max(64);

const steadyMs = z.number().min(0);

/** Whom a request is counted for: an attempt, or the review of one, which is paid from the same money. */
export const spender = z.object({
  ...attemptKey.shape,
  /** `sitting` names one carrying out of the review: a reviewer that is restarted begins to count anew. */
  review: z.object({ reviewId, sitting: z.string().min(8).max(64) }).optional(),
});
export type Spender = z.infer<typeof spender>;

/** A request that wants to be sent. */
export const permitWant = z.object({
  id: permitId,
  ...spender.shape,
  provider: providerName,
  model: z.string().min(1).max(200),
  /** Tokens it takes of a quota until it is settled. */
  tokens: z.number().int().min(0),
  /** The most it may cost, in millionths of a dollar. */
  microUsd: z.number().int().min(0),
  /** How many slots of its it had to give back because they came too late. */
  tries: z.number().int().min(0).max(100),
});
export type PermitWant = z.infer<typeof permitWant>;

export const permitRequest = z.object({
  /** By the asker's clock. */
  sentAt: steadyMs,
  wants: z.array(permitWant).min(1).max(1000),
});

/** A slot: to be used, or given back, between two moments of the orchestrator's clock. */
export const permit = z.object({ id: permitId, notBefore: steadyMs, expires: steadyMs });

export const permitGrant = z.object({
  /** By the orchestrator's clock, when this left. */
  now: steadyMs,
  /** The asker's last request: when it left by its clock, and when it came by the orchestrator's. */
  echo: z.object({ sentAt: steadyMs, receivedAt: steadyMs }).optional(),
  permits: z.array(permit).max(1000),
  /** What will never be let through. */
  refused: z.array(z.object({ id: permitId, reason: z.string().max(500) })).max(1000),
});

/** How requests with a permit ended: `unused` gives the slot back, `throttled` and `exhausted` are the provider's no. */
export const settlementKinds = ['unused', 'done', 'throttled', 'exhausted'] as const;
export const settledPermit = z.object({
  id: permitId,
  kind: z.enum(settlementKinds),
  /** What it used. */
  tokens: z.number().int().min(0),
  /** How long the provider wants to be left alone, if it says so. */
  retryAfterMs: z.number().min(0).optional(),
  /** What the provider said, for people. */
  reason: z.string().max(500).optional(),
});
export type SettledPermit = z.infer<typeof settledPermit>;

/** What attempts and reviews have used so far in all, so that a report that is lost is made good by the next. */
export const usageReport = z.object({
  attempts: z.array(z.object({ ...spender.shape, usage: attemptUsage })).max(1000),
  settled: z.array(settledPermit).max(1000),
  /** Requests that the provider has begun to answer: it has counted them by now. */
  arrived: z.array(permitId).max(1000).default([]),
  /** Requests that do not wait any more. */
  withdrawn: z.array(permitId).max(1000),
});
