// Package shared has messages that services of another package use. It is for tests.
package shared
