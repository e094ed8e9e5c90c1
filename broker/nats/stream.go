package nats

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// openJetStream makes sure that the server has JetStream.
func (c *connection) openJetStream() error {
	if err := c.terms.check(); err != nil {
		return err
	}
	js, err := jetstream.New(c.nc)
	if err != nil {
		return err
	}
	ctx, cancel := bounded(noContext, answerTimeout)
	defer cancel()
	if _, err := js.AccountInfo(ctx); err != nil {
		return fmt.Errorf("use JetStream; start the server with `nats-server -js`, and allow it to the account: %w", err)
	}
	c.js = js
	return nil
}

// store publishes data to the stream of its topic, and returns when the server has it.
func (c *connection) store(ctx context.Context, topic string, data []byte, opts ...jetstream.PublishOpt) error {
	if !c.nc.IsConnected() {
		return ErrAway
	}
	ctx, cancel := bounded(ctx, answerTimeout)
	defer cancel()
	// Without a stream, somebody other than this broker may have deleted it: it is
	// made again.
	for attempt := range 2 {
		stream, err := c.streamOf(ctx, topic, attempt > 0)
		if err != nil {
			return err
		}
		_, err = c.js.Publish(ctx, topic, data, append(opts, jetstream.WithExpectStream(stream), jetstream.WithRetryAttempts(0))...)
		if attempt == 0 && errors.Is(err, jetstream.ErrNoStreamResponse) {
			continue
		}
		return waited(err)
	}
	return nil
}

// waited says what the end of a context means.
func waited(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the server has not answered in time: %w", err)
	}
	return err
}

// streamOf returns the name of the stream that keeps a topic, which it makes if there is
// none. Anew makes it ask the server although the name is known.
func (c *connection) streamOf(ctx context.Context, topic string, anew bool) (string, error) {
	c.mu.Lock()
	name, known := c.streams[topic]
	c.mu.Unlock()
	if known && !anew {
		return name, nil
	}
	name, err := c.findStream(ctx, topic)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		name, err = c.makeStream(ctx, topic)
	}
	if err != nil {
		return "", waited(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.streams) >= maxStreams {
		clear(c.streams)
	}
	c.streams[topic] = name
	return name, nil
}

// maxStreams bounds the topics whose streams are remembered.
const maxStreams = 1024

// findStream returns the stream that has all of the topic.
func (c *connection) findStream(ctx context.Context, topic string) (string, error) {
	name, err := c.js.StreamNameBySubject(ctx, topic)
	if err != nil {
		return "", err
	}
	stream, err := c.js.Stream(ctx, name)
	if err != nil {
		return "", err
	}
	subjects := stream.CachedInfo().Config.Subjects
	if !slices.ContainsFunc(subjects, func(s string) bool { return covers(s, topic) }) {
		return "", fmt.Errorf("the stream %q keeps a part of it alone, %q; subscribe to the topics one by one, or make one stream for all of them", name, subjects)
	}
	return name, nil
}

func (c *connection) makeStream(ctx context.Context, topic string) (string, error) {
	config := jetstream.StreamConfig{
		Name: nameOf(topic), Subjects: []string{topic}, Description: "made by broker/nats for a topic",
		MaxAge: c.terms.MaxAge, Replicas: c.terms.Replicas, Storage: jetstream.FileStorage,
	}
	_, err := c.js.CreateStream(ctx, config)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		// Somebody with other settings was faster.
		return c.findStream(ctx, topic)
	}
	if err != nil {
		return "", fmt.Errorf("make the stream %q: %w", config.Name, err)
	}
	return config.Name, nil
}
