export type { ReceiptCommand, ReceiptMount, ReceiptSandbox } from './receipt-sandbox.ts';
export { freshCheckout, type Checkout, type FreshCheckoutRequest } from './fresh-checkout.ts';
export { takeReceipts, type ReceiptsRequest } from './take-receipts.ts';
export { copyLayer, layerMounts, type Layer } from './layer-mounts.ts';
export { openLayers, type LayerOnTrial, type Layers } from './layers.ts';
export type { LayerRequest, LayersOptions } from './layer-request.ts';
export type { Setup } from './layer-key.ts';
export { isToolFolder, walkTree } from './tree-walk.ts';
export { operatorRegistries, setupEnvironment } from './setup-environment.ts';
