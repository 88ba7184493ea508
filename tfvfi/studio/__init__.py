"""The studio: a page in the browser that interpolates, previews, compares and fine-tunes.

    server      binds an address, prints it, opens a browser
    app         the routes: JSON in, JSON or a file out
    guard       who may ask: token, origin, host, and the headers of every answer
    folders     which files may be read and written, and uploads
    order       what the page asks for: checked, described in a sentence and as a command line
    jobs        the queue, kept on the disk
    worker      a process that does one task at a time, and that can be stopped
    process     what runs in that process; tasks, tune: what it can do; replies: what it reports;
                glimpse: frames to look at
    state       what the routes share; actions, tuning, scans, archive: behind single routes
    page/       HTML, CSS and JavaScript, served as they are

Starlette and uvicorn serve it, because the page needs little from a library: routes, streamed
uploads and byte ranges. With their dependencies they are 7 small packages, where NiceGUI installs
49 and Gradio 52. Both of these also put inline scripts into the page, which a strict content
security policy refuses. A page made by hand loads nothing from a network, needs no build step,
and looks the way that this work needs.
"""
