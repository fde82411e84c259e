CREATE FUNCTION file AS path -> throwIf(true, 'file() is not available here');
