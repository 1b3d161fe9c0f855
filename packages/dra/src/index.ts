export * from './client.js';
export * from './driver.js';
export * from './messages.js';
