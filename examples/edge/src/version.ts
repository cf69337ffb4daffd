/** Goes up whenever a URL's picture changes: it is part of every digest. A test fails until it does. */
export const VERSION = 1;
