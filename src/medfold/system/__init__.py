"""Files, processes and the machine: what the packages above need from the operating system.

- `files`: atomic writing;
- `json_files`: JSON files, checked when they are read;
- `array_files`: .npy files filled row by row, hashed by block;
- `hashes`: hashes of files, texts and values;
- `locks`: one process at a time;
- `http_session`: HTTP sessions that give no secret away;
- `http_download`: resumable download of one large file;
- `waiting`: pauses between repeated requests;
- `archives`: unpacking of untrusted zip and tar archives;
- `processes`: child processes;
- `reporting_processes`: child processes that send messages;
- `gpu_processes`: a child process for each GPU;
- `native_output`: silence for libraries that write to the terminal;
- `deadline`: when a training must stop;
- `signals`: signals that stop a command;
- `shared_memory`: memory that processes share;
- `threads`: a generator of what a thread hands over;
- `limits`: memory and time for files of others;
- `path_checks`: names and paths that others wrote;
- `hardware`: cores and GPUs;
- `git`: the commit of a folder.
"""
