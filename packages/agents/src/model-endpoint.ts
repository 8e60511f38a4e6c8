/** Where an attempt's agent finds its model: addresses that are reached from inside its sandbox. */
export interface ModelEndpoint {
  /** Base of the Anthropic form; `/v1/messages` follows. */
  readonly anthropic: string;
  /** Base of the OpenAI forms; `/chat/completions` and `/responses` follow, so it ends in `/v1`. */
  readonly openai: string;
  /** Base of the Gemini form; `/v1beta/models/…` follows. */
  readonly gemini: string;
  /** Good for this attempt alone; what agents are given as their key. */
  readonly token: string;
}

/** A model that was opened for one attempt. */
export interface AttemptModel {
  readonly endpoint: ModelEndpoint;
  /** Unix sockets of the host by the port of the sandbox's loopback that leads to them. */
  readonly sockets: readonly { readonly port: number; readonly path: string }[];
  /** Ends the token; closing twice is fine. */
  close(): Promise<void>;
}
