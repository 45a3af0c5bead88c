package io.trino.filesystem.hdfs;

import io.opentelemetry.api.OpenTelemetry;
import io.trino.filesystem.TrinoFileSystemFactory;
import io.trino.filesystem.local.LocalFileSystemFactory;
import io.trino.spi.NodeManager;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * The Hive connector looks for a class of this name and shape (io.trino.filesystem.manager.HdfsFileSystemLoader,
 * in trino-filesystem-manager 435) to read every location that is not in an object store. Trino's build on Hadoop's
 * file systems is not published by itself; this one hands out Trino's own local file system: local:///folder/file.
 */
public final class HdfsFileSystemManager {
    public HdfsFileSystemManager(
            Map<String, String> properties,
            boolean azureEnabled,
            boolean gcsEnabled,
            boolean s3Enabled,
            String catalogName,
            NodeManager nodeManager,
            OpenTelemetry openTelemetry) {}

    /** The names of the properties that are used here: none. */
    public Set<String> configure() {
        return Set.of();
    }

    public TrinoFileSystemFactory create() {
        return new LocalFileSystemFactory(Path.of("/"));
    }

    public void stop() {}
}
