export type { ReceiptCommand, ReceiptMount, ReceiptSandbox } from './receipt-sandbox.ts';
export { freshCheckout, type Checkout, type FreshCheckoutRequest } from './fresh-checkout.ts';
export { takeReceipts, type ReceiptsRequest } from './take-receipts.ts';
export { copyLayer, layerMounts, type Layer } from './layer-mounts.ts';
export { openLayers, type LayerRequest, type Layers, type LayersOptions } from './layers.ts';
export type { Setup } from './layer-key.ts';
export { isToolFolder, walkTree } from './tree-walk.ts';
export { operatorRegistries, setupEnvironment } from './setup-environment.ts';
