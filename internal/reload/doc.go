// Package reload reads certificates, passwords and keys from files, and reads them
// again when the files have changed: certificates end, and passwords are replaced,
// while programs go on.
//
// Nothing watches the files. Whoever needs what is in them asks for it at every
// handshake and every login; the files are read then, and parsed only if their
// content differs from the last time. Somebody who writes two files does not write
// them at one moment: what cannot be used is passed over, and said once, as long
// as there is something from before.
package reload
