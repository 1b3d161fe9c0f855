export { prepareSocket } from './prepare-socket.js';
