export * from './owners/controller-ref.js';
export * from './owners/controller-ref-manager.js';
export * from './owners/slow-start-batch.js';
export * from './reconcile/build-controller.js';
export * from './reconcile/reconciler.js';
export * from './reconcile/watch.js';
